!> Roots: their distribution with depth, water stress of the leaves and shares of the layers in uptake.
!>
!> Two forms of water stress. Linear in the water content between the wilting point (-1.5 MPa) and a critical point
!> (-33 kPa), the same for all plants: Cox et al. (1999), Clim. Dyn. 15, 183-203, with the heads of Best et al.
!> (2011), Geosci. Model Dev. 4, 677-699. Linear in the pressure head between the open and closed stomata of a plant
!> type: Oleson et al. (2013), NCAR/TN-503+STR, section 8.4; heads fall so steeply in drying soil that plants
!> transpire freely until nearly all is gone. Distribution of roots: Jackson et al. (1996), Oecologia 108, 389-411.
module pl_root_uptake
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: availability_of_head, availability_of_water, critical_head, root_distribution, share_uptake
   public :: water_stress, wilting_head

   real(rk), parameter :: critical_head = -3.364_rk !! head below which uptake falls, -33 kPa [m]
   real(rk), parameter :: wilting_head = -152.9_rk  !! head at which it ceases, -1.5 MPa [m]

   real(rk), parameter :: frozen_below = freezing_point - 2.0_rk !! no uptake from colder layers [K]
   real(rk), parameter :: centimetres = 100.0_rk                 !! per metre

contains

   !> Water stress of the leaves and the share of each layer in the uptake, from pressure heads.
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
      real(rk) :: availability(w, nlayer)
      call availability_of_head(nlayer, pressure_head, psi_open, psi_closed, availability)
      call share_uptake(nlayer, root_fraction, availability, soil_temperature, stress, uptake_share)
   end subroutine water_stress

   !> Availability (psi_c - psi)/(psi_c - psi_o) in [0, 1] of each layer's water to the roots of a plant type.
   pure subroutine availability_of_head(nlayer, pressure_head, psi_open, psi_closed, availability)
      integer, intent(in) :: nlayer                     !! soil layers [1]
      real(rk), intent(in) :: pressure_head(w, nlayer)  !! [m]
      real(rk), intent(in) :: psi_open(w)               !! pressure head at which stomata are fully open [m]
      real(rk), intent(in) :: psi_closed(w)             !! pressure head at which stomata close, below psi_open [m]
      real(rk), intent(out) :: availability(w, nlayer)  !! [1]
      real(rk) :: scale(w)
      integer :: i, k
      do i = 1, w
         scale(i) = 1.0_rk/(psi_open(i) - psi_closed(i))
      end do
      do k = 1, nlayer
         do i = 1, w
            availability(i, k) = min(max((pressure_head(i, k) - psi_closed(i))*scale(i), 0.0_rk), 1.0_rk)
         end do
      end do
   end subroutine availability_of_head

   !> Availability (theta - theta_w)/(theta_c - theta_w) in [0, 1] of each layer's water to all roots.
   pure subroutine availability_of_water(nlayer, water, critical, wilting, availability)
      integer, intent(in) :: nlayer                     !! soil layers [1]
      real(rk), intent(in) :: water(w, nlayer)          !! volumetric [m3 m-3]
      real(rk), intent(in) :: critical(w, nlayer)       !! water at `critical_head`, above the wilting point [m3 m-3]
      real(rk), intent(in) :: wilting(w, nlayer)        !! water at `wilting_head` [m3 m-3]
      real(rk), intent(out) :: availability(w, nlayer)  !! [1]
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            availability(i, k) = min(max((water(i, k) - wilting(i, k))/(critical(i, k) - wilting(i, k)), 0.0_rk), 1.0_rk)
         end do
      end do
   end subroutine availability_of_water

   !> Stress of the leaves, and the share of each layer in the uptake.
   !>
   !> A layer delivers in proportion to its roots and to the availability of its water, nothing when it is colder
   !> than -2 degrees C. Shares sum to one, or are all zero where the stress factor is zero.
   pure subroutine share_uptake(nlayer, root_fraction, availability, soil_temperature, stress, uptake_share)
      integer, intent(in) :: nlayer                       !! soil layers [1]
      real(rk), intent(in) :: root_fraction(w, nlayer)    !! [1]
      real(rk), intent(in) :: availability(w, nlayer)     !! [1]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      real(rk), intent(out) :: stress(w)                  !! beta_t, 1 without stress [1]
      real(rk), intent(out) :: uptake_share(w, nlayer)    !! [1]
      real(rk) :: scale(w)
      integer :: i, k
      do i = 1, w
         stress(i) = 0.0_rk
      end do
      do k = 1, nlayer
         do i = 1, w
            uptake_share(i, k) = merge(root_fraction(i, k)*availability(i, k), 0.0_rk, &
                                       soil_temperature(i, k) > frozen_below)
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
   end subroutine share_uptake

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
