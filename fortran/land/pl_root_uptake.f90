!> Roots: their distribution with depth, water stress of the leaves and shares of the layers in uptake.
!>
!> Oleson et al. (2013), NCAR/TN-503+STR, section 8.4 (stress linear in the pressure head between open and
!> closed stomata); Jackson et al. (1996), Oecologia 108, 389-411 (distribution).
module pl_root_uptake
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: root_distribution, water_stress

   real(rk), parameter :: frozen_below = freezing_point - 2.0_rk !! no uptake from colder layers [K]
   real(rk), parameter :: centimetres = 100.0_rk                 !! per metre

contains

   !> Water stress of the leaves and the share of each layer in the uptake.
   !>
   !> A layer delivers in proportion to its roots and to (psi_c - psi)/(psi_c - psi_o) in [0, 1], nothing when
   !> it is colder than -2 degrees C. Shares sum to one, or are all zero where the stress factor is zero.
   pure subroutine water_stress(nlayer, root_fraction, pressure_head, soil_temperature, psi_open, psi_closed, &
                                stress, uptake_share)
      integer, intent(in) :: nlayer                       !! soil layers [1]
      real(rk), intent(in) :: root_fraction(w, nlayer)    !! [1]
      real(rk), intent(in) :: pressure_head(w, nlayer)    !! [m]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      real(rk), intent(in) :: psi_open(w)                 !! pressure head at which stomata are fully open [m]
      real(rk), intent(in) :: psi_closed(w)               !! pressure head at which stomata close, below psi_open [m]
      real(rk), intent(out) :: stress(w)                  !! beta_t, 1 without stress [1]
      real(rk), intent(out) :: uptake_share(w, nlayer)    !! [1]
      real(rk) :: scale(w)
      integer :: i, k
      do i = 1, w
         stress(i) = 0.0_rk
         scale(i) = 1.0_rk/(psi_open(i) - psi_closed(i))
      end do
      do k = 1, nlayer
         do i = 1, w
            uptake_share(i, k) = root_fraction(i, k)*min(max((pressure_head(i, k) - psi_closed(i))*scale(i), &
                  0.0_rk), 1.0_rk)
            uptake_share(i, k) = merge(uptake_share(i, k), 0.0_rk, soil_temperature(i, k) > frozen_below)
            stress(i) = stress(i) + uptake_share(i, k)
         end do
      end do
      do i = 1, w
         scale(i) = merge(1.0_rk/max(stress(i), tiny(1.0_rk)), 0.0_rk, stress(i) > tiny(1.0_rk))
         stress(i) = merge(min(stress(i), 1.0_rk), 0.0_rk, stress(i) > tiny(1.0_rk))
      end do
      do k = 1, nlayer
         do i = 1, w
            uptake_share(i, k) = uptake_share(i, k)*scale(i)
         end do
      end do
   end subroutine water_stress

   !> Share of the roots in each layer, r = beta**(100 z_top) - beta**(100 z_bottom), normalised to the lowest
   !> interface.
   pure function root_distribution(beta, interfaces) result(fraction)
      real(rk), intent(in) :: beta          !! extinction per centimetre, inside (0, 1) [1]
      real(rk), intent(in) :: interfaces(:) !! depths of the layer interfaces, 0 first, increasing [m]
      real(rk) :: fraction(size(interfaces) - 1) !! sums to one [1]
      integer :: n
      n = size(fraction)
      fraction = beta**(centimetres*interfaces(:n)) - beta**(centimetres*interfaces(2:n + 1))
      fraction = fraction/(1.0_rk - beta**(centimetres*interfaces(n + 1)))
   end function root_distribution

end module pl_root_uptake
