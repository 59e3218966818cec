!> Humidity at the surface of grounds that are no soil: glacier ice and sealed urban ground.
!>
!> Ice is saturated (over ice). A sealed ground evaporates from the wet share of its surface, which grows with the water it
!> holds to the power 2/3, as that of leaves (Deardorff 1978); dew falls on all of it.
module pl_ground_kind
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: ground_chunk_type, weather_chunk_type
   use pl_moist_air, only: saturation_chunk, saturation_chunk_ice
   implicit none (type, external)
   private
   public :: ice_humidity, sealed_humidity

   real(rk), parameter :: wetting_power = 2.0_rk/3.0_rk !! of the wet share [1]

contains

   !> Ground of ice.
   pure subroutine ice_humidity(weather, ground)
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(inout) :: ground !! with `soil_temperature`
      call saturation_chunk_ice(ground%soil_temperature, weather%air_pressure, ground%humidity, ground%humidity_slope)
      ground%resistance = 0.0_rk
      ground%evaporation_factor = 1.0_rk
   end subroutine ice_humidity

   !> Sealed ground with some water on it.
   pure subroutine sealed_humidity(weather, held, largest, ground)
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: held(w)  !! water on the ground [kg m-2]
      real(rk), intent(in) :: largest  !! what it holds at most, above 0 [kg m-2]
      type(ground_chunk_type), intent(inout) :: ground !! with `soil_temperature`
      real(rk) :: pressure(w), share
      integer :: i
      call saturation_chunk(ground%soil_temperature, weather%air_pressure, pressure, ground%humidity, ground%humidity_slope)
      do i = 1, w
         share = min(held(i)/largest, 1.0_rk)**wetting_power
         ground%resistance(i) = 0.0_rk
         ground%evaporation_factor(i) = merge(1.0_rk, share, weather%specific_humidity(i) > ground%humidity(i))
      end do
   end subroutine sealed_humidity

end module pl_ground_kind
