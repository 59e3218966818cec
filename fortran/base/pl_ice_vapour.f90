!> Saturation vapour over ice.
!>
!> Flatau, Walko and Cotton (1992), J. Appl. Meteorol. 31, 1507-1513: eighth-order polynomials over ice, valid from -75 to
!> 0 degrees C (temperatures are clamped to that range).
module pl_ice_vapour
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: ice_saturation_chunk

   real(rk), parameter :: lowest = -75.0_rk, highest = 0.0_rk !! range of the polynomials [degC]
   real(rk), parameter :: molar_ratio = 0.622_rk              !! water vapour to dry air [1]
   real(rk), parameter :: a(0:8) = [6.11123516_rk, 5.03109514e-1_rk, 1.88369801e-2_rk, 4.20547422e-4_rk, &
                                    6.14396778e-6_rk, 6.02780717e-8_rk, 3.87940929e-10_rk, &
                                    1.49436277e-12_rk, 2.62655803e-15_rk] !! pressure [hPa]
   real(rk), parameter :: b(0:8) = [5.03277922e-1_rk, 3.77289173e-2_rk, 1.26801703e-3_rk, 2.49468427e-5_rk, &
                                    3.13703411e-7_rk, 2.57180651e-9_rk, 1.33268878e-11_rk, &
                                    3.94116744e-14_rk, 4.98070196e-17_rk] !! derivative [hPa K-1]

contains

   !> Saturation specific humidity over ice and its derivative.
   pure subroutine ice_saturation_chunk(temperature, air_pressure, humidity, slope)
      real(rk), intent(in) :: temperature(w)  !! temperature [K]
      real(rk), intent(in) :: air_pressure(w) !! air pressure [Pa]
      real(rk), intent(out) :: humidity(w)    !! saturation specific humidity [kg kg-1]
      real(rk), intent(out) :: slope(w)       !! derivative to temperature [kg kg-1 K-1]
      real(rk) :: de, e, scale, t
      integer :: i
      do i = 1, w
         t = min(max(temperature(i) - freezing_point, lowest), highest)
         e = 100.0_rk*(a(0) + t*(a(1) + t*(a(2) + t*(a(3) + t*(a(4) + t*(a(5) + t*(a(6) + t*(a(7) + t*a(8)))))))))
         de = 100.0_rk*(b(0) + t*(b(1) + t*(b(2) + t*(b(3) + t*(b(4) + t*(b(5) + t*(b(6) + t*(b(7) + t*b(8)))))))))
         scale = 1.0_rk/(air_pressure(i) - (1.0_rk - molar_ratio)*e)
         humidity(i) = molar_ratio*e*scale
         slope(i) = molar_ratio*air_pressure(i)*scale*scale*de
      end do
   end subroutine ice_saturation_chunk

end module pl_ice_vapour
