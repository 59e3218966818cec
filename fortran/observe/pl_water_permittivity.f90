!> Complex permittivity of liquid water and of ice, as pairs of real numbers eps' + i eps''.
!>
!> Water: one Debye relaxation, eps = eps_inf + (eps_0 - eps_inf)/(1 - i omega tau); eps_0(T) and tau(T) of Klein and Swift
!> (1977, IEEE Trans. Antennas Propag. 25, 104-111, eqs. 13-17 at salinity 0; tau is that of Stogryn 1971), fitted between
!> freezing and 40 degrees C: temperatures beyond are set to these ends. Ice: Maetzler and Wegmueller (1987, J. Phys. D 20,
!> 1623-1630): eps' = 3.1884 + 0.00091 (T - 273 K), with a loss that is nothing beside that of any soil.
module pl_water_permittivity
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, pi
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: high_frequency_limit, refractive_index, vacuum_permittivity, water_permittivity, water_relaxation

   real(rk), parameter :: high_frequency_limit = 4.9_rk         !! eps_inf of water [1]
   real(rk), parameter :: vacuum_permittivity = 8.854e-12_rk    !! [F m-1], the digits that the soil models were fitted with
   real(rk), parameter :: warmest = 40.0_rk                     !! end of the fits of water [degC]

contains

   !> Static permittivity and relaxation time of pure water.
   pure subroutine water_relaxation(temperature, static, relaxation)
      real(rk), intent(in) :: temperature(w)  !! [K]
      real(rk), intent(out) :: static(w)      !! eps_0 [1]
      real(rk), intent(out) :: relaxation(w)  !! tau [s]
      real(rk) :: t
      integer :: i
      do i = 1, w
         t = min(max(temperature(i) - freezing_point, 0.0_rk), warmest)
         static(i) = 87.134_rk + t*(-0.1949_rk + t*(-1.276e-2_rk + t*2.491e-4_rk))
         relaxation(i) = (1.1109e-10_rk + t*(-3.824e-12_rk + t*(6.938e-14_rk - t*5.096e-16_rk)))/(2.0_rk*pi)
      end do
   end subroutine water_relaxation

   !> Permittivity of pure water.
   pure subroutine water_permittivity(frequency, temperature, real_part, loss)
      real(rk), intent(in) :: frequency       !! [Hz]
      real(rk), intent(in) :: temperature(w)  !! [K]
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: angle, static(w), relaxation(w), share
      integer :: i
      call water_relaxation(temperature, static, relaxation)
      do i = 1, w
         angle = 2.0_rk*pi*frequency*relaxation(i)
         share = (static(i) - high_frequency_limit)/(1.0_rk + angle*angle)
         real_part(i) = high_frequency_limit + share
         loss(i) = share*angle
      end do
   end subroutine water_permittivity

   !> Complex refractive index n + i k, the square root of the permittivity with a positive real part.
   pure subroutine refractive_index(real_part, loss, n, k)
      real(rk), intent(in) :: real_part(w) !! eps', above 0 [1]
      real(rk), intent(in) :: loss(w)      !! eps'' [1]
      real(rk), intent(out) :: n(w)        !! refractive index [1]
      real(rk), intent(out) :: k(w)        !! normalised attenuation [1]
      integer :: i
      do i = 1, w
         n(i) = sqrt(0.5_rk*(sqrt(real_part(i)*real_part(i) + loss(i)*loss(i)) + real_part(i)))
         k(i) = 0.5_rk*loss(i)/n(i)
      end do
   end subroutine refractive_index

end module pl_water_permittivity
